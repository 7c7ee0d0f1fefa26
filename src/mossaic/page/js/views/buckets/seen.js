/** Work for what is on the screen only, and not all at once. */

const AT_ONCE = 4;
const jobs = new WeakMap();
const waiting = [];
let running = 0;

const sight = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      waiting.push(jobs.get(target));
    }
    next();
  },
  { rootMargin: "200px" },
);

/** @param {Element} node @param {() => Promise<void>} job  must not reject */
export function whenSeen(node, job) {
  jobs.set(node, job);
  sight.observe(node);
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    waiting.shift()().finally(() => {
      running -= 1;
      next();
    });
  }
}
