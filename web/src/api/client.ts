/** The API, typed by its own document. */
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";
import { accessToken, refused } from "./session";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];

const signedIn: Middleware = {
  async onRequest({ request }) {
    const token = await accessToken();
    if (token !== null) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
  onResponse({ response }) {
    if (response.status === 401) refused();
    return response;
  },
};

export const api = createClient<paths>({ baseUrl: "/v1", cache: "no-store", credentials: "omit" });
api.use(signedIn);
