// Signs in once for all tests: whoever looks at a demonstration from its own machine is its admin.

import { request, type FullConfig } from "@playwright/test";

/** Where the session is kept. */
export const SESSION = "session.json";

export default async function signed(config: FullConfig): Promise<void> {
  const context = await request.newContext({ baseURL: config.projects[0]?.use.baseURL ?? "" });
  const answer = await context.get("/");
  if (!answer.ok()) throw new Error(`the demonstration answers ${answer.status()}`);
  await context.storageState({ path: SESSION });
  await context.dispose();
}
