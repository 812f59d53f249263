// Package store defines what is kept of a response — a Head and a Body, together
// an Object — and what a place to keep them owes its users.
//
// It knows nothing of purges: it asks an object's Judge whether the object may
// still be used. Which response may be stored, and for how long, is decided in
// httpcache; what a purge does to it, in purge.
package store
