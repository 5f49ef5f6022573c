import "../spotter.js";

customElements.define(
  "my-door",
  class extends HTMLElement {
    connectedCallback() {
      const root = this.attachShadow({ mode: "closed" });
      const view = document.createElement("spotter-view");
      view.src = "picture.jpg";
      view.classes = ["person"];
      view.addEventListener("detections", ({ detail }) => {
        this.dataset.people = detail.detections.length;
      });
      root.append(view);
    }
  },
);
