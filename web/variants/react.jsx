import { useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import "../spotter.js";

function App() {
  const view = useRef(null);
  const [src, setSrc] = useState("picture.jpg");
  const [confidence, setConfidence] = useState(0.25);
  const [people, setPeople] = useState(0);
  const [shown, setShown] = useState(true);
  return (
    <>
      {shown && (
        <spotter-view
          ref={view}
          src={src}
          conf={confidence}
          classes={["person"]}
          masks={false}
          ondetections={({ detail }) => setPeople(detail.detections.length)}
        />
      )}
      <p id="people">{people}</p>
      <button id="other" onClick={() => setSrc("portrait.jpg")}>Other picture</button>
      <button id="sure" onClick={() => setConfidence(0.99)}>Only what is certain</button>
      <button id="gone" onClick={() => setShown(false)}>Close</button>
    </>
  );
}

createRoot(document.getElementById("root")).render(<App />);
