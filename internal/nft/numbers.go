package nft

// Numbers of linux/netfilter/nf_tables.h and nfnetlink.h that golang.org/x/sys/unix lacks or names in a way that is hard to read here.
const (
	subsystem = 10 << 8 // NFNL_SUBSYS_NFTABLES in a message's type

	msgNewTable, msgGetTable, msgDelTable       = 0, 1, 2
	msgNewChain, msgGetChain                    = 3, 4
	msgNewRule, msgGetRule                      = 6, 7
	msgNewSet, msgGetSet                        = 9, 10
	msgNewSetElem, msgGetSetElem, msgDelSetElem = 12, 13, 14
	msgNewGen, msgGetGen                        = 15, 16
	msgNewFlowtable, msgGetFlowtable            = 22, 23

	msgBatchBegin, msgBatchEnd = 16, 17 // NFNL_MSG_BATCH_*

	tableName, tableFlags, tableHandle, tableUserData = 1, 2, 4, 6

	chainTable, chainHandle, chainName, chainHook, chainPolicy, chainType, chainUserData = 1, 2, 3, 4, 5, 7, 12
	hookNum, hookPriority, hookDev, hookDevs                                             = 1, 2, 3, 4

	ruleTable, ruleChain, ruleHandle, ruleExprs, ruleUserData = 1, 2, 3, 4, 7

	setTable, setName, setFlags, setKeyType, setKeyLen, setDataType, setDataLen = 1, 2, 3, 4, 5, 6, 7
	setDesc, setID, setUserData, setHandle                                      = 9, 10, 13, 16
	setTimeout, setExpr, setExpressions                                         = 11, 17, 18
	setDescSize, setDescConcat, setFieldLen                                     = 1, 2, 1

	flagAnonymous, flagConstant, flagInterval, flagMap, flagTimeout, flagEval, flagObject, flagConcat = 1, 2, 4, 8, 16, 32, 64, 128

	elemsTable, elemsSet, elemsList, elemsSetID                         = 1, 2, 3, 4
	elemKey, elemData, elemFlags, elemUserData, elemKeyEnd, elemFlagEnd = 1, 2, 3, 6, 10, 1
	elemTimeout, elemExpiration, elemExpr, elemObjref, elemExpressions  = 4, 5, 7, 9, 11
	elemFlagCatchall                                                    = 2
	listElem                                                            = 1
	dataValue, dataVerdict                                              = 1, 2
	verdictCodeAttr, verdictChain                                       = 1, 2
	exprName, exprData                                                  = 1, 2
	genID                                                               = 1

	natRandom, natPersistent, natFullyRandom, natNetmap, natSpecified = 4, 8, 16, 64, 2
)
