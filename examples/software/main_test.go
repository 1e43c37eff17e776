package main

import "testing"

func TestGreeting(t *testing.T) {
	if greeting == "" {
		t.Fatal("the shop greets nobody")
	}
}
