package main

const greeting = "Welcome to the shop."
