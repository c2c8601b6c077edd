import { openRoom } from "./opening";

const element = document.getElementById("room");
if (element?.dataset.read) openRoom(element, element.dataset.read);
