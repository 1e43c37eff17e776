package githubsim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (a App) permissions() map[string]string {
	if a.Permissions == nil {
		return map[string]string{"contents": "write", "metadata": "read", "pull_requests": "write"}
	}
	return a.Permissions
}

// getInstallation answers GET /app/installations/{id}, which only the App itself may ask (GitHub Docs, "Get an installation for the
// authenticated app").
func (s *Server) getInstallation(w http.ResponseWriter, r *http.Request) {
	app, err := s.signer(bearer(r))
	if err == nil && r.PathValue("id") != strconv.FormatInt(app.Installation, 10) {
		err = fail(http.StatusNotFound, "Not Found")
	}
	if err != nil {
		answerError(w, err)
		return
	}
	answer := object{
		"id": app.Installation, "app_id": app.ID, "account": object{"login": s.options.Owner, "type": "Organization"}, "permissions": app.permissions(),
		"repository_selection": map[bool]string{true: "all", false: "selected"}[app.Repositories == nil], "suspended_at": nil,
	}
	if app.Suspended {
		answer["suspended_at"] = time.Now().UTC()
	}
	answerJSON(w, http.StatusOK, answer)
}

// admits holds a call of an installed App against where it is installed and what it was granted: contents for content and its history,
// pull_requests for pull requests. What it may not see does not exist for it.
func (s *Server) admits(actor Actor, repository string, r *http.Request) error {
	i := slices.IndexFunc(s.options.Apps, func(a App) bool { return actor.App != 0 && a.ID == actor.App })
	if i < 0 {
		return nil
	}
	app := s.options.Apps[i]
	if app.Repositories != nil && !slices.Contains(app.Repositories, repository) {
		return fail(http.StatusNotFound, "Not Found")
	}
	_, rest, _ := strings.Cut(r.URL.Path, "/"+r.PathValue("repo")+"/")
	part, _, _ := strings.Cut(rest, "/")
	needs := map[string]string{
		"contents": "contents", "commits": "contents", "compare": "contents", "git": "contents", "branches": "contents", "pulls": "pull_requests",
	}[part]
	level := app.permissions()[needs]
	if needs != "" && level != "write" && (level == "" || r.Method != http.MethodGet) {
		return fail(http.StatusForbidden, "Resource not accessible by integration")
	}
	return nil
}
