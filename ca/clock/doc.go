// Package clock says whether the clock of this machine can be relied on, for whoever signs times (RFC 3161 2.1: a
// time-stamp authority uses a trustworthy source of time).
//
// Make a [Watch] with [New], give it references where there are any ([NTP], [HTTP], [Server]), let [Watch.Run] ask them
// in the background, and call [Watch.Check] before every signature.
//
// What it promises: after a jump of the clock, which no time that passed explains, and while the references say that it
// is off, Check refuses. A reference that does not answer, or not exactly enough, proves nothing either way; when none
// has confirmed the clock for longer than allowed, Check refuses as well. Without any reference only jumps are noticed.
// What it does not: it never corrects a clock, and a minority of lying references never decides.
package clock
