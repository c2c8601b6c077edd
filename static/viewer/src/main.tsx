import { viewingOf } from "./api/client";
import { openRoom } from "./opening";

const element = document.getElementById("room");
if (element?.dataset.read) openRoom(element, element.dataset.read);
else if (element?.dataset.study) openRoom(element, viewingOf(element.dataset.study));
