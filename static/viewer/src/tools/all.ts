/** Every tool there is, in the order of the bar and the palette. */
import "./view";
import "./crosshair";
import "./draw";
import "./corners";
import "../masks/toolbox";
import "./judge";
