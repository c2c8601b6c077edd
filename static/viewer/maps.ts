/**
 * The outlines that the map of providers is drawn with: static/dist/maps.json, read by network.catalogue.maps.
 *
 * Borders are Natural Earth's (public domain), as the package world-atlas ships them (ISC).
 */
import { readFileSync } from "node:fs";
import { type GeoProjection, geoArea, geoAzimuthalEqualArea, geoEqualEarth, geoPath } from "d3-geo";
import type {
  Feature,
  FeatureCollection,
  Geometry,
  MultiPoint,
  MultiPolygon,
  Polygon,
  Position,
} from "geojson";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";

type Country = Feature<Geometry, { name: string }>;

interface Outline {
  /** ISO 3166-1 numeric, three digits; 000 where there is none. */
  id: string;
  /** An SVG path in the pixels of the map; empty where nothing would be seen. */
  d: string;
  /** Where a number stands: the middle of the largest part. */
  x: number;
  y: number;
  /** Too small to see a shade in: drawn with a dot. */
  small: boolean;
}

interface DrawnMap {
  width: number;
  height: number;
  countries: Outline[];
}

const ATLAS = "node_modules/world-atlas/countries";
const NEAR_PX = 1.5;
const LEAST_RING_PX2 = 4;
const SMALL_PX2 = 60;
const ANTARCTICA = "010";

export function drawMaps(): Record<string, DrawnMap> {
  return { europe: europe(), world: world() };
}

function europe(): DrawnMap {
  const [width, height] = [560, 560];
  const corners: MultiPoint = {
    type: "MultiPoint",
    coordinates: [
      [-10.5, 36],
      [-9, 58],
      [14, 34.6],
      [34.5, 35],
      [31, 70.5],
      [5, 71],
    ],
  };
  const projection = geoAzimuthalEqualArea()
    .rotate([-13, -53])
    .fitSize([width, height], corners)
    .clipExtent([
      [0, 0],
      [width, height],
    ]);
  return drawn(projection, countries("50m"), width, height);
}

function world(): DrawnMap {
  const [width, height] = [720, 340];
  const shown = countries("110m").filter((country) => country.id !== ANTARCTICA);
  const all: FeatureCollection = { type: "FeatureCollection", features: shown };
  return drawn(geoEqualEarth().fitSize([width, height], all), shown, width, height);
}

function countries(scale: string): Country[] {
  const read = JSON.parse(readFileSync(`${ATLAS}-${scale}.json`, "utf8")) as Topology<{
    countries: GeometryCollection<{ name: string }>;
  }>;
  return feature(read, read.objects.countries).features;
}

function drawn(projection: GeoProjection, shown: Country[], width: number, height: number): DrawnMap {
  const path = geoPath(projection);
  const outlines = shown.flatMap((country): Outline[] => {
    const whole = path(country);
    if (!whole) return [];
    const d = shorter(whole);
    const [x, y] = path.centroid(largest(country));
    const small = path.area(country) < SMALL_PX2;
    return [{ id: String(country.id ?? "").padStart(3, "0"), d, x: Math.round(x), y: Math.round(y), small }];
  });
  return { width, height, countries: outlines };
}

/** The part of a country that its name belongs to: France's lies in Europe, not between it and Guyana. */
function largest(country: Country): Feature<Polygon> {
  const geometry = country.geometry as Polygon | MultiPolygon;
  const parts: Position[][][] = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  const polygons = parts.map((coordinates): Polygon => ({ type: "Polygon", coordinates }));
  const [first] = polygons.toSorted((a, b) => geoArea(b) - geoArea(a));
  return { type: "Feature", properties: {}, geometry: first };
}

/** The path with points left out that are nearer than a pixel, and islands that nobody would see. */
function shorter(path: string): string {
  const rings = path.split("M").slice(1);
  return rings
    .map((ring) =>
      thinned(
        ring
          .replace("Z", "")
          .split("L")
          .map((point) => point.split(",").map(Number)),
      ),
    )
    .filter((ring) => ring.length > 2 && Math.abs(area(ring)) >= LEAST_RING_PX2)
    .map((ring) => `M${ring.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}Z`)
    .join("");
}

function thinned(ring: number[][]): number[][] {
  const kept = [ring[0]];
  for (const point of ring.slice(1)) {
    const [x, y] = kept[kept.length - 1];
    if (Math.hypot(point[0] - x, point[1] - y) >= NEAR_PX) kept.push(point);
  }
  return kept;
}

function area(ring: number[][]): number {
  return (
    ring.reduce((sum, [x, y], at) => {
      const [nextX, nextY] = ring[(at + 1) % ring.length];
      return sum + x * nextY - nextX * y;
    }, 0) / 2
  );
}
