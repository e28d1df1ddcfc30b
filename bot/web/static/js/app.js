// Makes the pages live. Everything here is an addition: every page works without it.

import { startActions } from "./actions.js";
import { startCalendar } from "./calendar.js";
import { startChat } from "./chat.js";
import { startGallery } from "./gallery.js";
import { startLive } from "./live.js";
import { startQueue } from "./queue.js";
import { startReview } from "./review.js";
import { localTimes } from "./times.js";

document.documentElement.classList.add("js");
localTimes(document);
startActions();
startChat();
startQueue();
startGallery();
startReview();
startCalendar();
if ("live" in document.body.dataset) startLive();
