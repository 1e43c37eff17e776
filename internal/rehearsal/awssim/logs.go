package awssim

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

// maxEvents is how many log events one answer of CloudWatch Logs holds at most.
const maxEvents = 10_000

// ServeLogs adds logs that lie elsewhere: file returns the path of a stream's file and when it was begun.
func (a *Account) ServeLogs(file func(group, stream string) (path string, begun time.Time, found bool)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.otherLogs = file
}

// logsActions are those of CloudWatch Logs, which holds the logs of bakes, and others by ServeLogs. A bake's is in group
// /aws/imagebuilder/<image name>, stream <version>/<build>. See EC2 Image Builder User Guide, "Monitor Image Builder logs with Amazon CloudWatch Logs".
func (a *Account) logsActions() map[string]JSONAction {
	type getLogEvents struct {
		LogGroupName, LogStreamName, NextToken string
		Limit                                  int
		StartFromHead                          bool
	}
	return map[string]JSONAction{
		"GetLogEvents": decoding(func(in getLogEvents) (any, error) {
			if in.NextToken != "" || in.StartFromHead {
				return nil, refuse("InvalidParameterException", "the rehearsal was taught to read the end of a log only")
			}
			if in.Limit < 0 || in.Limit > maxEvents {
				return nil, refuse("InvalidParameterException", "limit is %d, expected 1 to %d", in.Limit, maxEvents)
			}
			path, begun, found := a.logOf(in.LogGroupName, in.LogStreamName)
			if !found {
				return nil, refuse("ResourceNotFoundException", "The specified log stream does not exist.")
			}
			content, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			limit := in.Limit
			if limit == 0 {
				limit = maxEvents
			}
			events := []map[string]any{}
			lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
			for _, line := range lines[max(0, len(lines)-limit):] {
				at := begun.UnixMilli()
				// An event has one byte at least.
				if line = strings.ToValidUTF8(line, "?"); line != "" {
					events = append(events, map[string]any{"timestamp": at, "ingestionTime": at, "message": line})
				}
			}
			return map[string]any{"events": events, "nextForwardToken": "f/end", "nextBackwardToken": "b/end"}, nil
		}),
	}
}

func (a *Account) logOf(group, stream string) (path string, begun time.Time, found bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range a.builds {
		_, image, _ := strings.Cut(b.arn, ":image/")
		name, version, _ := strings.Cut(image, "/")
		if group == "/aws/imagebuilder/"+name && stream == version {
			return a.dir("images", b.amiID, "bake.log"), b.created, true
		}
	}
	if a.otherLogs == nil {
		return "", time.Time{}, false
	}
	return a.otherLogs(group, stream)
}
