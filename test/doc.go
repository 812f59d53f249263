// Package test holds the end-to-end tests: they build the binary, start it with
// configuration files on free ports of the loopback address, and look at it
// from outside, with peers that others wrote: nginx as origin, curl as client,
// and the npm package of an existing purge API. They assert what a user would
// notice. They need Linux, nginx, curl, node, and `npm ci` in this folder, and
// run with the build tag e2e. What a package can show by itself is tested there.
//
// The tests of clusters build a network of their own, of namespaces, bridges and
// cables that can be cut, which needs root and iproute2; elsewhere they are
// skipped, and say so.
package test
