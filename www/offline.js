// @ts-check
/**
 * The program, kept on this device by a service worker for use without a network.
 *
 * @typedef {"kept" | "newer" | "failed"} Keeping `newer`: another version waits until no tab shows
 *   this one
 */

/** A server on this very machine is there without a network, and a developer's changes often. */
const THIS_MACHINE = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Keeps the program, where the browser can and the server is another machine.
 *
 * @param {(keeping: Keeping) => void} tell again where it changes
 */
export async function keepProgram(tell) {
  const workers = navigator.serviceWorker;
  if (!workers || THIS_MACHINE.test(location.hostname)) return;
  const registration = await workers
    .register(new URL("../service-worker.js", import.meta.url))
    .catch(() => null);
  if (!registration) return tell("failed");
  const { active, waiting } = registration;
  if (active || waiting) tell(active && waiting ? "newer" : "kept");
  else if (!registration.installing) return tell("failed");
  const follow = () => {
    const { installing, active } = registration;
    installing?.addEventListener("statechange", () => {
      if (installing.state === "installed") tell(active ? "newer" : "kept");
      // Where a newer version is not to be had, the old one stays.
      else if (installing.state === "redundant" && !active) tell("failed");
    });
  };
  follow();
  registration.addEventListener("updatefound", follow);
}
