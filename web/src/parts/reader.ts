/** Reads QR codes: by the browser itself where it can, else by a decoder that is loaded only then. */

interface Detector {
  detect(source: HTMLVideoElement | ImageBitmap): Promise<{ rawValue: string }[]>;
}
type Kind = new (options: { formats: "qr_code"[] }) => Detector;

let known: Promise<Detector> | undefined;

const load = async (): Promise<Detector> => {
  const own = (globalThis as { BarcodeDetector?: Kind }).BarcodeDetector;
  const Reader: Kind = own ?? (await import("qr/decode.js")).BarcodeDetector;
  return new Reader({ formats: ["qr_code"] });
};

/** What the code in a picture says; null where there is none. */
export async function readCode(picture: HTMLVideoElement | ImageBitmap): Promise<string | null> {
  known ??= load();
  const [code] = await (await known).detect(picture);
  return code?.rawValue ?? null;
}
