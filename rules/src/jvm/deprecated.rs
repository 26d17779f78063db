//! JVM options that are deprecated, obsolete or removed, by version.

/// A version: the major number and the numbers after it.
pub(super) type Since = (u32, &'static [u32]);

/// Options that were deprecated, made obsolete and removed in the same versions.
#[derive(Debug)]
pub(super) struct Deprecation {
    /// The version from which the JVM warns about them.
    pub(super) deprecated: Option<Since>,
    /// The version from which they have no effect.
    pub(super) obsolete: Option<Since>,
    /// The version from which the JVM refuses to start with them.
    pub(super) removed: Option<Since>,
    pub(super) names: &'static [&'static str],
}

/// `-XX:` options by name; the first entry that contains a name counts.
pub(super) const XX: &[Deprecation] = &[
    Deprecation {
        deprecated: None,
        obsolete: Some((7, &[])),
        removed: Some((8, &[])),
        names: &[
            "HandlePromotionFailure",
            "MaxLiveObjectEvacuationRatio",
            "ForceSharedSpaces",
            "UseParallelOldGCCompacting",
            "UseParallelDensePrefixUpdate",
            "UseParallelOldGCDensePrefix",
            "AllowTransitionalJSR292",
        ],
    },
    Deprecation {
        deprecated: Some((8, &[])),
        obsolete: Some((23, &[])),
        removed: Some((24, &[])),
        names: &["MaxGCMinorPauseMillis", "DefaultMaxRAMFraction"],
    },
    Deprecation {
        deprecated: Some((8, &[])),
        obsolete: None,
        removed: None,
        names: &["UseCMSCompactAtFullCollection", "CMSFullGCsBeforeCompaction", "UseCMSCollectionPassing"],
    },
    Deprecation {
        deprecated: Some((8, &[])),
        obsolete: None,
        removed: Some((9, &[])),
        names: &[
            "CMSIncrementalDutyCycle",
            "CMSIncrementalDutyCycleMin",
            "CMSIncrementalMode",
            "CMSIncrementalOffset",
            "CMSIncrementalPacing",
            "CMSIncrementalSafetyFactor",
        ],
    },
    Deprecation {
        deprecated: None,
        obsolete: Some((8, &[])),
        removed: Some((9, &[])),
        names: &[
            "AdaptivePermSizeWeight",
            "CMSInitiatingPermOccupancyFraction",
            "CMSPermGenPrecleaningEnabled",
            "CMSRevisitStackSize",
            "CMSTriggerPermRatio",
            "MaxPermHeapExpansion",
            "MaxPermSize",
            "MinPermHeapExpansion",
            "PermGenPadding",
            "PermMarkSweepDeadRatio",
            "PermSize",
            "PrintRevisitStats",
            "UseISM",
            "UseMPSS",
            "UsePermISM",
            "UseSplitVerifier",
            "UseStringCache",
            "UseVectoredExceptions",
        ],
    },
    Deprecation {
        deprecated: None,
        obsolete: Some((9, &[])),
        removed: None,
        names: &[
            "CreateMinidumpOnCrash",
            "AdaptiveSizePausePolicy",
            "AutoShutdownNMT",
            "BackEdgeThreshold",
            "CodeCacheMinimumFreeSpace",
            "DefaultThreadPriority",
            "JNIDetachReleasesMonitors",
            "LazyBootClassLoader",
            "NmethodSweepCheckInterval",
            "NmethodSweepFraction",
            "NoYieldsInMicrolock",
            "ParallelGCRetainPLAB",
            "PreInflateSpin",
            "ReflectionWrapResolutionErrors",
            "SafepointPollOffset",
            "StarvationMonitorInterval",
            "ThreadSafetyMargin",
            "UseAltSigs",
            "UseBoundThreads",
            "UseCompilerSafepoints",
            "UseFastAccessorMethods",
            "UseFastEmptyMethods",
            "UseNewReflection",
            "UseOldInlining",
            "VerifyReflectionBytecodes",
        ],
    },
    Deprecation {
        deprecated: Some((9, &[])),
        obsolete: None,
        removed: None,
        names: &[
            "UseParNewGC",
            "CMSMarkStackSizeMax",
            "CMSMarkStackSize",
            "G1MarkStackSize",
            "ParallelMarkingThreads",
            "ParallelCMSThreads",
        ],
    },
    Deprecation {
        deprecated: Some((10, &[])),
        obsolete: Some((23, &[])),
        removed: Some((24, &[])),
        names: &["InitialRAMFraction", "MaxRAMFraction", "MinRAMFraction"],
    },
    Deprecation {
        deprecated: Some((11, &[])),
        obsolete: Some((12, &[])),
        removed: Some((13, &[])),
        names: &["AggressiveOpts"],
    },
    Deprecation { deprecated: Some((11, &[])), obsolete: None, removed: None, names: &["UnlockCommercialFeatures"] },
    Deprecation { deprecated: Some((11, &[0, 17])), obsolete: None, removed: None, names: &["UseContainerCpuShares"] },
    Deprecation {
        deprecated: None,
        obsolete: Some((12, &[])),
        removed: Some((13, &[])),
        names: &["MonitorInUseLists"],
    },
    Deprecation {
        deprecated: None,
        obsolete: Some((14, &[])),
        removed: Some((15, &[])),
        names: &[
            "UseConcMarkSweepGC",
            "CMSClassUnloadingEnabled",
            "CMSExpAvgFactor",
            "CMSInitiatingOccupancyFraction",
            "CMSScavengeBeforeRemark",
            "CMSTriggerRatio",
        ],
    },
    Deprecation {
        deprecated: Some((14, &[])),
        obsolete: Some((15, &[])),
        removed: Some((16, &[])),
        names: &["UseParallelOldGC"],
    },
    Deprecation {
        deprecated: None,
        obsolete: Some((15, &[])),
        removed: Some((16, &[])),
        names: &["UseAdaptiveGCBoundary"],
    },
    Deprecation {
        deprecated: Some((15, &[])),
        obsolete: Some((16, &[])),
        removed: Some((17, &[])),
        names: &["ForceNUMA"],
    },
    Deprecation {
        deprecated: Some((15, &[])),
        obsolete: Some((18, &[])),
        removed: Some((19, &[])),
        names: &["UseBiasedLocking", "BiasedLockingStartupDelay"],
    },
    Deprecation {
        deprecated: Some((9, &[])),
        obsolete: Some((16, &[])),
        removed: Some((17, &[])),
        names: &["TraceClassLoading", "TraceClassUnloading", "TraceExceptions"],
    },
    Deprecation {
        deprecated: Some((17, &[])),
        obsolete: Some((18, &[])),
        removed: None,
        names: &["UseContainerCpuShares"],
    },
    Deprecation {
        deprecated: None,
        obsolete: Some((18, &[])),
        removed: Some((19, &[])),
        names: &["G1RSetRegionEntries", "G1RSetSparseRegionEntries"],
    },
    Deprecation {
        deprecated: None,
        obsolete: None,
        removed: Some((19, &[])),
        names: &["GCParallelVerificationEnabled"],
    },
    Deprecation {
        deprecated: None,
        obsolete: Some((20, &[])),
        removed: Some((24, &[])),
        names: &[
            "G1UseAdaptiveConcRefinement",
            "G1ConcRefinementGreenZone",
            "G1ConcRefinementYellowZone",
            "G1ConcRefinementRedZone",
            "G1ConcRefinementThresholdStep",
            "G1ConcRefinementServiceIntervalMillis",
        ],
    },
    Deprecation {
        deprecated: None,
        obsolete: Some((21, &[])),
        removed: Some((24, &[])),
        names: &["G1ConcRSLogCacheSize", "G1ConcRSHotCardLimit"],
    },
    Deprecation { deprecated: None, obsolete: None, removed: Some((21, &[])), names: &["EnableWaitForParallelLoad"] },
    Deprecation { deprecated: None, obsolete: Some((21, &[])), removed: None, names: &["MetaspaceReclaimPolicy"] },
    Deprecation {
        deprecated: Some((22, &[])),
        obsolete: Some((23, &[])),
        removed: Some((24, &[])),
        names: &["RegisterFinalizersAtInit"],
    },
    Deprecation {
        deprecated: Some((23, &[])),
        obsolete: Some((24, &[])),
        removed: Some((25, &[])),
        names: &["PreserveAllAnnotations", "DontYieldALot", "UseEmptySlotsInSupers", "UseNotificationThread"],
    },
    // JMC does not have the entries below; JDK 25 reports these warnings when it is started with the options.
    Deprecation { deprecated: Some((23, &[])), obsolete: Some((24, &[])), removed: None, names: &["ZGenerational"] },
    Deprecation { deprecated: Some((24, &[])), obsolete: None, removed: None, names: &["LockingMode"] },
    Deprecation {
        deprecated: Some((25, &[])),
        obsolete: None,
        removed: None,
        names: &["UseCompressedClassPointers", "UseOprofile"],
    },
    Deprecation {
        deprecated: None,
        obsolete: Some((25, &[])),
        removed: None,
        names: &["PerfDataSamplingInterval", "ZMarkStackSpaceLimit"],
    },
];

/// `-X` options by prefix.
pub(super) const X: &[Deprecation] = &[
    Deprecation { deprecated: Some((8, &[])), obsolete: None, removed: Some((9, &[])), names: &["incgc", "run"] },
    Deprecation { deprecated: Some((13, &[])), obsolete: None, removed: None, names: &["verify:none"] },
    Deprecation { deprecated: None, obsolete: Some((14, &[])), removed: None, names: &["concgc", "noconcgc"] },
    Deprecation { deprecated: Some((22, &[])), obsolete: None, removed: Some((23, &[])), names: &["noagent"] },
    Deprecation { deprecated: Some((22, &[])), obsolete: None, removed: None, names: &["debug"] },
];
