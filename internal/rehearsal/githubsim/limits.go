package githubsim

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Limits are rate limits, which hold for all tokens together (GitHub Docs, "Rate limits for the REST API"). The zero value has none.
type Limits struct {
	// Requests is the primary limit: how many REST calls there may be in a Window.
	Requests int
	// Window is the primary limit's; an hour when 0, as on GitHub. It begins with the first call.
	Window time.Duration
	// Writes is the secondary limit: how many calls that make something there may be in a Pause.
	Writes int
	// Pause is the secondary limit's; a minute when 0, as on GitHub. Its seconds are what Retry-After says.
	Pause time.Duration
	// Silent leaves Retry-After out, as GitHub does now and then.
	Silent bool
}

// limiter counts calls.
type limiter struct {
	mu             sync.Mutex
	limits         Limits
	calls, writes  int
	resets, pauses time.Time
}

// SetLimits sets the rate limits and begins to count.
func (s *Server) SetLimits(limits Limits) {
	l := &s.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if limits.Window == 0 {
		limits.Window = time.Hour
	}
	if limits.Pause == 0 {
		limits.Pause = time.Minute
	}
	l.limits, l.calls, l.writes, l.resets, l.pauses = limits, 0, 0, time.Time{}, time.Time{}
}

// limited wraps the REST API with the rate limits and their headers.
func (s *Server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.limiter.admit(w.Header(), r.Method); err != nil {
			answerError(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

const aboutSecondary = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"

// admit counts a call, and refuses it when there were too many.
func (l *limiter) admit(header http.Header, method string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.limits.Requests > 0 {
		if now.After(l.resets) {
			// The header has whole seconds, so that the window ends with one.
			l.calls, l.resets = 0, now.Add(l.limits.Window).Add(time.Second-1).Truncate(time.Second)
		}
		l.calls++
		header.Set("X-Ratelimit-Limit", strconv.Itoa(l.limits.Requests))
		header.Set("X-Ratelimit-Remaining", strconv.Itoa(max(0, l.limits.Requests-l.calls)))
		header.Set("X-Ratelimit-Reset", strconv.FormatInt(l.resets.Unix(), 10))
		header.Set("X-Ratelimit-Resource", "core")
		if l.calls > l.limits.Requests {
			return fail(http.StatusForbidden, "API rate limit exceeded for installation ID 1.")
		}
	}
	if l.limits.Writes > 0 && method != http.MethodGet {
		if now.After(l.pauses) {
			l.writes, l.pauses = 0, now.Add(l.limits.Pause)
		}
		if l.writes++; l.writes > l.limits.Writes {
			if !l.limits.Silent {
				header.Set("Retry-After", strconv.Itoa(int((time.Until(l.pauses)+time.Second-1)/time.Second)))
			}
			return &Error{
				Status: http.StatusForbidden, Documentation: aboutSecondary,
				Message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
			}
		}
	}
	return nil
}
