// Command bench measures Rescind side by side with nginx and Varnish, on one
// machine and in one run, and reports ratios. It starts every server itself, each
// pinned to the same core, with load generators and the origin on the others.
//
// It says how the servers compare on the machine that it ran on. It is not a
// load test of a site, and its absolute figures mean nothing elsewhere.
package main
