// Grafana's icons are fetched from its server, which a test does not have.
import React from 'react';

export const cacheStore = {};

export default function InlineSVG({ title, onClick }: React.SVGProps<SVGSVGElement> & { title?: string }) {
  return (
    <svg aria-hidden onClick={onClick}>
      {title && <title>{title}</title>}
    </svg>
  );
}
