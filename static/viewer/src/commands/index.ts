/** Registers what every reader can do. The order here is the order of the sheet and the palette. */
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
import "./room";
