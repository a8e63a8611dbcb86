// Regions that refresh by themselves: [data-live-seconds="3"] with hx-get, hx-trigger="live" and hx-swap="morph". Every
// 3 s, every 30 s while the tab is hidden, no more after status 286. [data-announce] inside is read out when it changes.
import { announce } from "./fkeys.js";

const HIDDEN_SECONDS = 30;
const said = new Map();

function say(region) {
  for (const place of region.querySelectorAll("[data-announce]")) {
    const words = place.dataset.announce;
    const key = place.id || region.id;
    if (words && said.has(key) && said.get(key) !== words) announce(words);
    said.set(key, words);
  }
}

function follow(region) {
  let timer = 0;
  const id = region.id;
  const next = () => {
    clearTimeout(timer);
    const place = document.getElementById(id);
    if (!place?.dataset.liveSeconds) return;
    const seconds = document.hidden ? HIDDEN_SECONDS : Number(place.dataset.liveSeconds);
    timer = setTimeout(() => window.htmx.trigger(place, "live"), seconds * 1000);
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== id) return;
    const place = document.getElementById(id);
    if (place) say(place);
    if (event.detail.xhr.status === 286) clearTimeout(timer), (timer = 0);
    else next();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && timer) window.htmx.trigger(document.getElementById(id), "live");
  });
  say(region);
  next();
}

for (const region of document.querySelectorAll("[data-live-seconds][id]")) follow(region);
