// Package cloudflare speaks Cloudflare's API as far as purge clients use it:
// purge_cache by POST and DELETE, and the look-ups by which they find a zone's id
// and try their token. A zone is a service, and has its id.
//
// A file is purged under both schemes and in all variants, whatever request
// fields are given with it: these pick one variant at Cloudflare, and here all
// of a URL go together. Tags are purged as they are spelt and in lower case,
// because there they compare without regard to case.
package cloudflare
