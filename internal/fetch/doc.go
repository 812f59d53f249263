// Package fetch gets responses from the origin: one fetch, many readers.
//
// Requests for one resource share a fetch under way where the purges between
// its beginning and theirs allow it, read its body as it arrives, each at its
// own pace, and none depends on another: the fetch goes on when the client that
// caused it leaves, and a slow client slows nobody. What may be stored is put
// into the store once it is complete.
//
// The package decides neither what is fresh (httpcache) nor what a purge
// matches (purge), and does not speak to clients (proxy).
package fetch
