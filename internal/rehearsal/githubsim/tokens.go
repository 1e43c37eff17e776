package githubsim

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// App is a GitHub App that is installed on the organization: whoever has its private key gets tokens of its installation.
type App struct {
	// ID is the App's ID, Installation that of its installation.
	ID, Installation int64
	// Login is the account that works with its tokens; it ends in "[bot]".
	Login string
	// Key is the public half of the App's key.
	Key *rsa.PublicKey
	// Lifetime is how long a token lasts; an hour when 0, as on GitHub.
	Lifetime time.Duration
	// Permissions are what it was granted; those that relay needs when nil. Repositories are what it is installed on; all when nil.
	Permissions  map[string]string
	Repositories []string
	// Suspended says that its installation gets no tokens.
	Suspended bool
}

// minted is a token that was made for an App.
type minted struct {
	actor   Actor
	expires time.Time
}

// actor finds whose token it is.
func (s *Server) actor(token string) (Actor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.minted[token]; ok && time.Now().Before(m.expires) {
		return m.actor, nil
	}
	if actor, ok := s.options.Tokens[token]; ok && token != "" {
		return actor, nil
	}
	return Actor{}, fail(http.StatusUnauthorized, "Bad credentials")
}

// createToken answers POST /app/installations/{id}/access_tokens (GitHub Docs, "Generating an installation access token").
func (s *Server) createToken(w http.ResponseWriter, r *http.Request) {
	app, err := s.signer(bearer(r))
	if err != nil {
		answerError(w, err)
		return
	}
	if id, err := strconv.ParseInt(r.PathValue("id"), 10, 64); err != nil || id != app.Installation {
		answerError(w, fail(http.StatusNotFound, "Not Found"))
		return
	}
	if app.Suspended {
		answerError(w, fail(http.StatusForbidden, "This installation has been suspended"))
		return
	}
	lifetime := app.Lifetime
	if lifetime == 0 {
		lifetime = time.Hour
	}
	token := "ghs_" + rand.Text()
	expires := time.Now().Add(lifetime).UTC()
	s.mu.Lock()
	s.minted[token] = minted{Actor{Login: app.Login, App: app.ID}, expires}
	s.mu.Unlock()
	answerJSON(w, http.StatusCreated, object{"token": token, "expires_at": expires, "permissions": app.permissions()})
}

// Minted are the tokens that Apps got so far, for those who look whether any is told.
func (s *Server) Minted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.minted))
}

// signer verifies a JSON web token and finds the App that signed it (GitHub Docs, "Generating a JSON Web Token (JWT) for a GitHub
// App": RS256, issued by the App, for at most 10 minutes).
func (s *Server) signer(token string) (App, error) {
	var app App
	claims := &jwt.RegisteredClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) {
		for _, app = range s.options.Apps {
			if claims.Issuer == strconv.FormatInt(app.ID, 10) {
				return app.Key, nil
			}
		}
		return nil, fmt.Errorf("no App %q", claims.Issuer)
	}, jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Alg()}))
	switch {
	case err != nil:
		return App{}, fail(http.StatusUnauthorized, "A JSON web token could not be decoded")
	case claims.ExpiresAt == nil || claims.ExpiresAt.After(time.Now().Add(10*time.Minute)):
		return App{}, fail(http.StatusUnauthorized, "'Expiration time' claim ('exp') is too far in the future")
	case claims.IssuedAt == nil:
		return App{}, fail(http.StatusUnauthorized, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	}
	return app, nil
}

// getUser answers GET /user, which no App's token may ask.
func (s *Server) getUser(w http.ResponseWriter, r *http.Request) {
	actor, err := s.actor(bearer(r))
	if err == nil && actor.App != 0 {
		err = fail(http.StatusForbidden, "Resource not accessible by integration")
	}
	if err != nil {
		answerError(w, err)
		return
	}
	answerJSON(w, http.StatusOK, object{"login": actor.Login, "type": "User", "site_admin": false})
}

// bearer returns a call's token: a bearer token, or the password of basic authentication as git sends it; the user name does not
// matter, as on GitHub.
func bearer(r *http.Request) string {
	if _, token, basic := r.BasicAuth(); basic {
		return token
	}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "token") {
		return strings.TrimSpace(rest)
	}
	return ""
}
