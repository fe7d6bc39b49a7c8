// Stands in for the reader of configurations, of which the command asks only this.
package configs

import "strings"

// IsIgnoredFile: hidden files and those of editors.
func IsIgnoredFile(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || strings.HasPrefix(name, "#")
}
