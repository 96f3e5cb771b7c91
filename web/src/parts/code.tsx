/** A QR code. It is an image by its address: nobody's markup gets into the page. */
export function Code({ svg, says }: { svg: string; says: string }) {
  return <img class="code" alt={says} src={`data:image/svg+xml;utf8,${encodeURIComponent(svg)}`} />;
}
