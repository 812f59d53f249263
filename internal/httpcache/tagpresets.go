package httpcache

import "github.com/rescind-edge/rescind/internal/field"

// Preset returns a tag header as the product that made its name known reads it.
// ok is false where the name is not known here. KeyCDN separates Cache-Tag by
// spaces, where this has commas.
func Preset(name string) (h TagHeader, ok bool) {
	for _, h := range tagPresets {
		if field.EqualFold(h.Name, name) {
			return h, true
		}
	}
	return TagHeader{}, false
}

var tagPresets = [...]TagHeader{
	{Name: "Surrogate-Key", Separators: " \t"},                                                // Fastly
	{Name: "Cache-Tag", Separators: ",", FoldCase: true},                                      // Cloudflare
	{Name: "Edge-Cache-Tag", Separators: ",", FirstOnly: true, MaxKey: 128, MaxKeys: 128},     // Akamai
	{Name: "x-amz-meta-cache-tag", Separators: ",", FoldCase: true, MaxKey: 256, MaxKeys: 50}, // CloudFront
	{Name: "xkey", Separators: ", \t"},                                                        // Varnish
	{Name: "Ykey", Separators: ", \t"},                                                        // Varnish Enterprise
	{Name: "X-Cache-Tags", Separators: ","},                                                   // FOSHttpCache
	{Name: "Cache-Tags", Separators: ","},                                                     // API Platform
	{Name: "X-Magento-Tags", Separators: ","},                                                 // Magento
	{Name: "Netlify-Cache-Tag", Separators: ","},                                              // Netlify
	{Name: "CDN-Tag", Separators: ","},                                                        // Bunny
	{Name: "X-TAG", Separators: ","},                                                          // StackPath
	{Name: "Vercel-Cache-Tag", Separators: ","},                                               // Vercel
	{Name: "x-next-cache-tags", Separators: ","},                                              // Next.js
	{Name: "Purge-Cache-Tags", Separators: " \t"},                                             // Drupal, module purge
	{Name: "X-Drupal-Cache-Tags", Separators: " \t"},                                          // Drupal, for debugging
	{Name: "X-Acquia-Purge-Tags", Separators: " \t"},                                          // Drupal, module acquia_purge
}
