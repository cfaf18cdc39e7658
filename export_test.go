package warren

// ReadSnapshotLimit is ReadSnapshot with another limit of size.
var ReadSnapshotLimit = readSnapshot
