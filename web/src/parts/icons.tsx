/** The few signs beside the words of the navigation. They say nothing of their own, and are read out by nobody. */
const PATHS = {
  "": "M4 11.5 12 4.5l8 7M6.5 9.8v9.2h11V9.8M10 19v-5h4v5",
  add: "M12 5v14M5 12h14",
  pay: "M6.5 17.5 17.5 6.5M9 6.5h8.5v8.5",
  receive: "M17.5 6.5 6.5 17.5M15 17.5H6.5V9",
  history: "M5 6.5h14M5 12h14M5 17.5h9",
  scan: "M4.5 8.5v-4h4M15.5 4.5h4v4M19.5 15.5v4h-4M8.5 19.5h-4v-4M4.5 12h15",
  settings: "M4.5 7.5h9M17.5 7.5h2M15.5 5.5v4M4.5 16.5h2M10.5 16.5h9M8.5 14.5v4",
  help: "M9 9.3a3 3 0 1 1 4.4 2.65c-.9.5-1.4 1.05-1.4 2.05M12 17.2v.1",
} as const;

export type Sign = keyof typeof PATHS;

export const Icon = ({ sign }: { sign: Sign }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d={PATHS[sign]} />
  </svg>
);
