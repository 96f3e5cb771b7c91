/** Passkeys as the browser makes and shows them. Null: the person, or the device, has said no. */

type Json = Record<string, unknown>;

/** Whether this browser can make and show them, in the form that the API speaks. */
export const knowsPasskeys =
  "PublicKeyCredential" in globalThis && "parseCreationOptionsFromJSON" in globalThis.PublicKeyCredential;

export async function assertPasskey(options: Json): Promise<Json | null> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as unknown as PublicKeyCredentialRequestOptionsJSON,
  );
  const shown = await navigator.credentials.get({ publicKey }).catch(() => null);
  return shown === null ? null : (shown as PublicKeyCredential).toJSON();
}

export async function createPasskey(options: Json): Promise<Json | null> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as unknown as PublicKeyCredentialCreationOptionsJSON,
  );
  const made = await navigator.credentials.create({ publicKey }).catch(() => null);
  return made === null ? null : (made as PublicKeyCredential).toJSON();
}
