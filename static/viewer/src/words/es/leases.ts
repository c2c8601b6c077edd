/** Cases taken from a queue, in Spanish. */
import type { Catalogue } from "../index";

export const leases: Catalogue = {
  "This case was kept for you until {time}. Since then others could take it as well. All that you drew is kept, and counts: go on, and submit as usual.":
    "Este caso se le reservó hasta las {time}. Desde entonces otros también podían tomarlo. Todo lo que dibujó se conserva y cuenta: continúe y envíelo como siempre.",
};
