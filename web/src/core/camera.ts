// The camera: opening it, choosing side and size, and saying why it can't be had.

import { SpotterError } from "./errors.ts";

export type Facing = "user" | "environment";

export interface CameraChoice {
  facing: Facing;
  /** A certain device, whichever way it looks; "" leaves the choice to the facing. */
  device: string;
  /** Height wanted, in pixels; the camera gives the nearest it has. */
  height: number;
}

export interface Camera {
  stream: MediaStream;
  /** Which side it turned out to be; null where the device doesn't say. */
  facing: Facing | null;
  device: string;
  /** Ids of all cameras. */
  devices: string[];
  /** Called once, when the device goes away ("camera-lost") or its permission is withdrawn ("camera-denied"). */
  onlost: ((error: SpotterError) => void) | null;
  stop(): void;
}

export async function openCamera(choice: CameraChoice): Promise<Camera> {
  if (!globalThis.isSecureContext) throw new SpotterError("camera-insecure");
  if (!navigator.mediaDevices?.getUserMedia) throw new SpotterError("camera-unsupported");
  const video: MediaTrackConstraints = {
    ...(choice.device ? { deviceId: { exact: choice.device } } : { facingMode: { ideal: choice.facing } }),
    height: { ideal: choice.height },
    width: { ideal: Math.round((choice.height * 4) / 3) },
    frameRate: { ideal: 30 },
  };
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (cause) {
    throw reason(cause);
  }
  return opened(stream, await cameras());
}

/** The choice that leads to another camera: the other side where the device knows sides, else the next one. */
export function another(camera: Camera): Pick<CameraChoice, "facing" | "device"> {
  if (camera.facing) return { facing: camera.facing === "user" ? "environment" : "user", device: "" };
  const next = (camera.devices.indexOf(camera.device) + 1) % camera.devices.length;
  return { facing: "environment", device: camera.devices[next] ?? "" };
}

function opened(stream: MediaStream, devices: string[]): Camera {
  const track = stream.getVideoTracks()[0];
  const { facingMode: facing, deviceId } = track?.getSettings() ?? {};
  const camera: Camera = {
    stream,
    facing: facing === "user" || facing === "environment" ? facing : null,
    device: deviceId ?? "",
    devices,
    onlost: null,
    stop() {
      camera.onlost = null;
      for (const t of stream.getTracks()) t.stop();
    },
  };
  track?.addEventListener("ended", async () => {
    const error = new SpotterError((await permission())?.state === "denied" ? "camera-denied" : "camera-lost");
    camera.onlost?.(error);
  });
  return camera;
}

/** Whether the page may use cameras, now and as that changes; null where the browser doesn't tell. */
export async function permission(): Promise<PermissionStatus | null> {
  try {
    return await navigator.permissions.query({ name: "camera" as PermissionName });
  } catch {
    return null;
  }
}

async function cameras(): Promise<string[]> {
  const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return devices.filter((d) => d.kind === "videoinput").map((d) => d.deviceId);
}

function reason(cause: unknown): SpotterError {
  const { name, message } = cause instanceof Error ? cause : { name: "", message: String(cause) };
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return new SpotterError("camera-denied");
    case "NotFoundError":
    case "OverconstrainedError":
      return new SpotterError("camera-missing");
    case "NotReadableError":
    case "AbortError":
      return new SpotterError("camera-busy", message);
  }
  return new SpotterError("camera-unsupported", `${name} ${message}`);
}
