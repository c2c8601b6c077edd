/** Labels that change during a read, in Spanish. */
import type { Catalogue } from "../index";

export const labels: Catalogue = {
  "The labels changed to version {n}. Your marks went along; what changed is in the history.":
    "Las etiquetas cambiaron a la versión {n}. Sus marcas se adaptaron; los cambios están en el historial.",
  "Labels, version {n}": "Etiquetas, versión {n}",
};
