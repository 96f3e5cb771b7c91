// The camera, where the browser reads QR codes by itself.

import { el } from "./dom.js";
import { t } from "./texts.js";

const PAUSE_MS = 200;

export function canScan() {
  return "BarcodeDetector" in window && navigator.mediaDevices !== undefined;
}

/** Opens a dialog with the camera's picture. Answers the text of the first code in it, or null if it was closed. */
export async function scan() {
  const said = el("p", { role: "status" });
  const video = el("video", { playsinline: true, "aria-hidden": "true" });
  video.muted = true;
  const close = el("button", { type: "button", click: () => dialog.close() }, t("scan_close"));
  const heading = el("h2", { id: "scanning" }, t("scan_title"));
  const dialog = el(
    "dialog",
    { "aria-labelledby": "scanning" },
    el("div", { class: "stack" }, heading, said, video, close),
  );
  document.body.append(dialog);
  const closed = new Promise((resolve) => dialog.addEventListener("close", () => resolve(null), { once: true }));
  dialog.showModal();
  said.textContent = t("scan_wait");
  let stream = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    await video.play();
    return await Promise.race([closed, firstCode(video, dialog)]);
  } catch {
    said.textContent = t("scan_refused");
    video.hidden = true;
    return dialog.open ? await closed : null;
  } finally {
    for (const track of stream?.getTracks() ?? []) track.stop();
    dialog.remove();
  }
}

async function firstCode(video, dialog) {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  while (dialog.open) {
    const [found] = await detector.detect(video);
    if (found !== undefined) return found.rawValue;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return null;
}
