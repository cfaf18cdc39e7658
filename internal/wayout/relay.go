package wayout

const relayArg = "@relay"

func relayMain(dir, lab string) int { return 2 }
