// Where every page behind the log-in starts.
import * as attention from "./attention.js";
import * as clocks from "./clocks.js";
import * as desk from "./desk.js";
import * as keys from "./keys.js";
import * as leader from "./leader.js";
import * as live from "./live.js";
import * as ticks from "./ticks.js";

leader.start();
ticks.start();
desk.start();
clocks.start();
attention.start();
keys.start();
live.start();
document.body.dataset.ready = "true";
