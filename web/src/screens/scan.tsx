import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Act, Field, Note } from "../parts/fields";
import { readCode } from "../parts/reader";
import { readPayee } from "../payees";
import { addressOf, go } from "../router";
import { texts } from "../texts";

const EVERY_MS = 150;

/** Finds a payee in a code: before the camera, or in a picture. */
export function Scan() {
  const video = useRef<HTMLVideoElement>(null);
  const stream = useSignal<MediaStream | null>(null);
  const message = useSignal<string | null>(null);
  const isHere = useRef(true);
  useEffect(
    () => () => {
      isHere.current = false;
    },
    [],
  );

  const take = (code: string | null, missing: string | null): boolean => {
    if (code !== null && readPayee(code) !== null) {
      go("pay", code, { replaces: true });
      return true;
    }
    message.value = code === null ? missing : texts.value.scan.foreign;
    return false;
  };
  const start = async () => {
    message.value = null;
    try {
      const camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      // who has left meanwhile is not to be looked at
      if (isHere.current) stream.value = camera;
      else for (const track of camera.getTracks()) track.stop();
    } catch {
      message.value = texts.value.scan.denied;
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: one look-out for each camera
  useEffect(() => {
    const shown = video.current;
    const camera = stream.value;
    if (camera === null || shown === null) return;
    shown.srcObject = camera;
    void shown.play();
    let timer: ReturnType<typeof setTimeout>;
    let isOver = false;
    const look = async () => {
      const code = shown.readyState >= shown.HAVE_CURRENT_DATA ? await readCode(shown).catch(() => null) : null;
      if (!isOver && !take(code, null)) timer = setTimeout(look, EVERY_MS);
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
      for (const track of camera.getTracks()) track.stop();
    };
  }, [stream.value]);

  return (
    <section class="sheet">
      <p class="quiet">{texts.value.scan.lead}</p>
      {stream.value === null ? (
        <Act first onPress={() => void start()}>
          {texts.value.scan.start}
        </Act>
      ) : (
        <video ref={video} playsInline muted />
      )}
      {message.value && <Note warning>{message.value}</Note>}
      <Field label={texts.value.scan.file}>
        {(attributes) => (
          <input
            {...attributes}
            type="file"
            accept="image/*"
            onChange={async (event) => {
              const file = event.currentTarget.files?.[0];
              if (file === undefined) return;
              const picture = await createImageBitmap(file).catch(() => null);
              take(picture && (await readCode(picture).catch(() => null)), texts.value.scan.none);
            }}
          />
        )}
      </Field>
      <a class="button" href={addressOf("pay")}>
        {texts.value.scan.typed}
      </a>
    </section>
  );
}
