// Stands for the style sheets that packages import.
export {};
