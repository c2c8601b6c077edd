/** Registers what every reader can do. The order here is the order of the sheet and the palette. */
// First: where readers have letters, these keys are theirs.
import "./adjudication";
import "./move";
import "./see";
import "./display";
import "./panes";
import "./cuts";
import "./tools";
import "./masks";
import "./marks";
import "./figures";
import "./forms";
import "./hanging";
import "./review";
import "./room";
