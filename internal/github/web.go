package github

import (
	"fmt"
	"strings"
)

// Web returns the address of a repository for people, by the root of the API: https://api.github.com/ is github.com's,
// https://HOST/api/v3/ a server's of one's own.
func Web(api, owner, repository string) string {
	root := strings.TrimSuffix(api, "api/v3/")
	if api == "https://api.github.com/" {
		root = "https://github.com/"
	}
	return fmt.Sprintf("%s%s/%s", root, owner, repository)
}
