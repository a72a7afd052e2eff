/** A gantry crane that carries a ring. */
export const Logo = ({ className }: { className?: string }) => (
  <svg className={className} viewBox="0 0 32 32" fill="none" aria-hidden="true" focusable="false">
    <path className="logo-frame" d="M5.5 28V6.5h21V28M2.5 28h6M23.5 28h6" />
    <path className="logo-rope" d="M16 6.5V12" />
    <circle className="logo-ring" cx="16" cy="18" r="6" />
  </svg>
);
