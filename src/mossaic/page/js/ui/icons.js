/** The page's own drawings: 20 by 20, one stroke width, the colour of the text beside them. */

const SVG = "http://www.w3.org/2000/svg";

/** Each value is the `d` of one path; several subpaths make one icon. */
const DRAWINGS = {
  blank: "",
  "alert-circle": "M10 17.2a7.2 7.2 0 1 0 0-14.4 7.2 7.2 0 0 0 0 14.4ZM10 6.4v4.2M10 13.4v.1",
  archive: "M3.2 4h13.6v3.4H3.2zM4.4 7.4V16h11.2V7.4M8 10.4h4",
  "arrow-left": "M16 10H4M9 5l-5 5 5 5",
  "arrow-right": "M4 10h12M11 5l5 5-5 5",
  "arrow-down": "M10 4v12M5 11l5 5 5-5",
  "arrow-up": "M10 16V4M5 9l5-5 5 5",
  audio: "M7.5 15V5.2l8-1.7v9.8M7.5 15a2 2 0 1 1-4 0 2 2 0 0 1 4 0ZM15.5 13.300a2 2 0 1 1-4 0 2 2 0 0 1 4 0Z",
  bucket: "M3.4 5.600c0-1.4 3-2.5 6.6-2.500s6.6 1.1 6.6 2.500S13.6 8.1 10 8.1 3.4 7 3.4 5.600ZM3.4 5.600l1.3 9c.2 1.3 2.5 2.3 5.3 2.300s5.1-1 5.3-2.300l1.3-9",
  calendar: "M3.5 5h13v11.500h-13zM3.5 8.500h13M7 3v3.500M13 3v3.5",
  callback: "M4 13.500V9a3.5 3.5 0 0 1 3.5-3.500H16M12.5 2l3.5 3.500L12.5 9M16 11.500V14a2.5 2.5 0 0 1-2.5 2.500H4.5",
  check: "M4 10.500l4 4 8-9",
  "check-circle": "M10 17.200a7.2 7.2 0 1 0 0-14.4 7.2 7.2 0 0 0 0 14.400ZM6.8 10.200l2.3 2.3 4.2-4.7",
  "chevron-down": "M5.5 8l4.5 4.500L14.5 8",
  "chevron-left": "M12 5.500L7.5 10l4.5 4.5",
  "chevron-right": "M8 5.500l4.5 4.500L8 14.5",
  "chevron-up": "M5.5 12l4.5-4.5 4.5 4.5",
  clock: "M10 17.200a7.2 7.2 0 1 0 0-14.4 7.2 7.2 0 0 0 0 14.400ZM10 6v4l2.8 1.8",
  code: "M7 5.500L2.5 10 7 14.500M13 5.500l4.5 4.5-4.5 4.5",
  contrast: "M10 17.200a7.2 7.2 0 1 0 0-14.4 7.2 7.2 0 0 0 0 14.400ZM10 2.800v14.400M10 5.500h4.800M10 8.500h6.500M10 11.500h6.500M10 14.500h4.8",
  copy: "M7.5 7.500h9v9h-9zM12.5 7.500v-4h-9v9h4",
  download: "M10 3v9.500M5.8 8.500L10 12.700l4.2-4.200M3.5 16.500h13",
  edit: "M4 16l.7-3.3 8.8-8.800a1.3 1.3 0 0 1 1.8 0l.8.800a1.3 1.3 0 0 1 0 1.800l-8.8 8.800L4 16ZM12 5.500L14.5 8",
  external: "M11.5 3.500h5v5M16.5 3.500L9 11M14 11.500v5H3.500V6H8.5",
  eye: "M1.8 10S4.8 4.5 10 4.5 18.2 10 18.2 10 15.2 15.5 10 15.5 1.8 10 1.8 10ZM12.5 10a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0Z",
  "eye-off": "M3 3l14 14M8 4.800A8 8 0 0 1 10 4.500c5.2 0 8.2 5.5 8.2 5.500a13.7 13.7 0 0 1-2.5 3.100M12.8 14.900a8 8 0 0 1-2.8.6c-5.2 0-8.2-5.5-8.2-5.500a13.9 13.9 0 0 1 3.8-4.100M8.2 8.200a2.5 2.5 0 0 0 3.5 3.5",
  file: "M5 2.800h6.500L15.5 7v10.200H5zM11.3 3v4.200h4.1",
  filter: "M3 5h14M5.8 10h8.400M8.5 15h3",
  folder: "M2.8 15.800V4.500h5l1.7 2h7.700v9.300z",
  "folder-open": "M2.8 15.800V4.500h5l1.7 2h6.200v2.300M2.8 15.800l2.4-7h12.600l-2.4 7z",
  "folder-plus": "M2.8 15.800V4.500h5l1.7 2h7.700v9.300zM10 9v4.500M7.8 11.200h4.5",
  globe: "M10 17.200a7.2 7.2 0 1 0 0-14.4 7.2 7.2 0 0 0 0 14.400ZM2.8 10h14.400M10 2.800c2 2 3 4.5 3 7.200s-1 5.2-3 7.200c-2-2-3-4.5-3-7.200s1-5.2 3-7.200Z",
  grid: "M3.5 3.500h5v5h-5zM11.5 3.500h5v5h-5zM3.5 11.500h5v5h-5zM11.5 11.500h5v5h-5z",
  history: "M3.5 10a6.8 6.8 0 1 0 2.2-5L3.5 7M3.5 3.500V7H7M10 6.500V10l2.5 1.7",
  home: "M3.5 9L10 3.5 16.5 9v7.500h-4.700v-4.700H8.200v4.700H3.500z",
  image: "M3 4h14v12H3zM3.2 13.500l4-4 3.5 3.5 2.5-2.5 3.6 3.500M13.8 7.700a1 1 0 1 1-2 0 1 1 0 0 1 2 0Z",
  inbox: "M3 11.500l2.5-8h9l2.5 8v5H3zM3 11.500h4l1 2h4l1-2h4",
  info: "M10 17.200a7.2 7.2 0 1 0 0-14.4 7.2 7.2 0 0 0 0 14.400ZM10 9.400v4.200M10 6.600v.1",
  key: "M12 11.500a4 4 0 1 0-3.6-2.200L3 14.700V17h2.500v-2H7.500v-2l1.6-1.600A4 4 0 0 0 12 11.500ZM13 7v.1",
  link: "M8.5 11.500a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.300l-1 1M11.5 8.500a3 3 0 0 0-4.3 0l-3 3a3 3 0 0 0 4.3 4.300l1-1",
  list: "M7 5h10M7 10h10M7 15h10M3.5 5v.1M3.5 10v.1M3.5 15v.1",
  lock: "M4.5 9h11v8h-11zM6.8 9V6.500a3.2 3.2 0 0 1 6.4 0V9M10 12.300v1.6",
  menu: "M3 5.500h14M3 10h14M3 14.500h14",
  moon: "M16.5 11.800A7 7 0 0 1 8.2 3.500a7 7 0 1 0 8.3 8.300Z",
  more: "M4.5 10v.1M10 10v.1M15.5 10v.1",
  move: "M2.8 15.800V4.500h5l1.7 2h7.700v9.300zM7.5 11.200H13M10.8 9l2.2 2.2-2.2 2.2",
  offline: "M3 3l14 14M2.5 8a11 11 0 0 1 3.3-2.200M9 4.600A11 11 0 0 1 17.5 8M5 11a7 7 0 0 1 3.3-1.800M12.7 9.700A7 7 0 0 1 15 11M7.8 13.700a3.3 3.3 0 0 1 3.6-.600M10 16.200v.1",
  pause: "M7 4.500v11M13 4.500v11",
  play: "M6.5 4l9 6-9 6z",
  plus: "M10 4v12M4 10h12",
  policy: "M10 2.800l6 2.200v4.500c0 3.8-2.5 6.3-6 7.7-3.5-1.4-6-3.9-6-7.700V5zM7.3 9.800l2 2 3.5-3.8",
  refresh: "M16.5 9.500A6.6 6.6 0 0 0 4.8 6L3.5 7.500M3.5 3.800v3.700h3.700M3.5 10.500A6.6 6.6 0 0 0 15.2 14l1.3-1.500M16.5 16.200v-3.700h-3.7",
  restore: "M4 8h8.500a4 4 0 0 1 0 8H8M7.5 4.500L4 8l3.5 3.5",
  rules: "M3.5 5h6M3.5 10h6M3.5 15h6M12.5 5l1.5 1.500L17 3.500M12.5 10l1.5 1.5 3-3M12.5 15l1.5 1.5 3-3",
  search: "M9 15a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM13.4 13.400L17 17",
  send: "M17 3L9 11M17 3l-5 14-3-6-6-3z",
  settings: "M3 6h7M14.5 6H17M3 14h2.500M10 14h7M14.3 6a2.1 2.1 0 1 1-4.2 0 2.1 2.1 0 0 1 4.2 0ZM9.9 14a2.1 2.1 0 1 1-4.2 0 2.1 2.1 0 0 1 4.2 0Z",
  share: "M10 12.500V3M6.5 6L10 2.5 13.5 6M6.5 9H4v8h12V9h-2.5",
  shield: "M10 2.800l6 2.200v4.500c0 3.8-2.5 6.3-6 7.7-3.5-1.4-6-3.9-6-7.700V5z",
  "sign-out": "M12 3.500H4v13h8M8.5 10H17M13.5 6.500L17 10l-3.5 3.5",
  stop: "M5.5 5.500h9v9h-9z",
  sun: "M13.3 10a3.3 3.3 0 1 1-6.6 0 3.3 3.3 0 0 1 6.6 0ZM10 2v1.500M10 16.500V18M2 10h1.500M16.5 10H18M4.3 4.300l1.1 1.100M14.6 14.600l1.1 1.100M4.3 15.700l1.1-1.100M14.6 5.400l1.1-1.1",
  tag: "M3 3.500h6.500l7.5 7.5-6 6L3.5 9.500zM6.7 7v.1",
  tasks: "M3.5 4.500h3v3h-3zM3.5 12.500h3v3h-3zM9.5 6h7M9.5 14h7",
  text: "M5 2.800h6.500L15.5 7v10.200H5zM11.3 3v4.200h4.100M7.5 10.500h5.500M7.5 13.500h5.5",
  transfers: "M6.5 16V4.500M3 8l3.5-3.500L10 8M13.5 4v11.500M10 12l3.5 3.500L17 12",
  trash: "M3.5 5.500h13M7.5 5.500V3.500h5v2M5 5.500l.8 11.500h8.400L15 5.500M8.3 8.500v5.500M11.7 8.500v5.5",
  upload: "M10 13V3.500M5.8 7.700L10 3.500l4.2 4.200M3.5 16.500h13",
  user: "M13 6.500a3 3 0 1 1-6 0 3 3 0 0 1 6 0ZM4 17c.5-3.2 2.9-5 6-5s5.5 1.8 6 5",
  versions: "M7.5 3.500h9v9M3.5 7.500h9v9h-9z",
  video: "M2.8 5h10v10h-10zM12.8 8.800l4.4-2.600v7.600l-4.4-2.6",
  warning: "M10 3l7.5 13.500h-15zM10 8v4M10 14.300v.1",
  x: "M5 5l10 10M15 5L5 15",
};

/**
 * An icon for the eye only; the control around it carries the name.
 * @param {keyof typeof DRAWINGS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const drawing = DRAWINGS[name];
  if (drawing === undefined) console.error(`no icon ${name}`); // a fault of ours; tests stop at it
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 20 20", class: `icon icon-${name}`, "aria-hidden": "true", focusable: "false" })) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", drawing ?? "");
  svg.append(path);
  return svg;
}

/** The mark of Mossaic: tiles, one of them still on its way. */
export function logo() {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "logo", "aria-hidden": "true", focusable: "false" })) svg.setAttribute(key, value);
  const tiles = [[2, 2, 1], [9, 2, 2], [2, 9, 2], [9, 9, 1], [2, 16, 1], [9, 16, 3], [16, 9, 3], [16, 16, 2], [16, 2, 0]];
  for (const [x, y, shade] of tiles) {
    const tile = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries({ x, y, width: 6, height: 6, rx: 1.4, class: `tile tile-${shade}` })) tile.setAttribute(key, value);
    svg.append(tile);
  }
  return svg;
}

const TYPES = [
  [/^image\//, "image"],
  [/^video\//, "video"],
  [/^audio\//, "audio"],
  [/zip|tar|gzip|compressed|7z|rar/, "archive"],
  [/^text\/|json|xml|javascript|yaml/, "text"],
];
const ENDINGS = {
  image: "avif bmp gif heic ico jpeg jpg png svg tif tiff webp",
  video: "avi m4v mkv mov mp4 mpeg mpg ogv webm",
  audio: "aac flac m4a mp3 oga ogg opus wav",
  archive: "7z bz2 gz rar tar tgz xz zip zst",
  text: "c conf cpp css csv go h html ini java js json log md py rs sh sql toml ts txt xml yaml yml",
};
const BY_ENDING = new Map(Object.entries(ENDINGS).flatMap(([kind, list]) => list.split(" ").map((ending) => [ending, kind])));

/** The icon that fits a file. @param {string} name @param {string} [type] its content type */
export function fileIcon(name, type = "") {
  const kind = TYPES.find(([expression]) => expression.test(type))?.[1] ?? BY_ENDING.get(name.toLowerCase().split(".").pop() ?? "");
  return icon(kind ?? "file");
}
