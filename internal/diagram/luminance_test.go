package diagram_test

import (
	"fmt"
	"math"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// luminance is the relative luminance of a colour of the style sheet (WCAG 2.2, "relative luminance").
func luminance(t *testing.T, css, name string) float64 {
	match := regexp.MustCompile(`--` + name + `: (#[0-9a-f]{6})`).FindStringSubmatch(css)
	require.NotNil(t, match, name)
	var r, g, b uint8
	_, err := fmt.Sscanf(match[1], "#%02x%02x%02x", &r, &g, &b)
	require.NoError(t, err)
	linear := func(c uint8) float64 {
		s := float64(c) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
