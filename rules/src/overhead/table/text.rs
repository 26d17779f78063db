//! Text: logging, regular expressions, building and formatting.

use super::{LINE, Line, allocation, cpu, wall};
use crate::overhead::pattern::{Resource, Thresholds};

pub(super) const LINES: &[Line] = &[
    Line {
        id: "LoggingOverhead",
        title: "Logging",
        methods: &[
            "ch.qos.logback",
            "org.slf4j",
            "java.util.logging",
            "java.lang.System$Logger",
            "sun.util.logging",
            "jdk.internal.logger",
            "org.apache.commons.logging",
            "org.apache.juli",
            "org.jboss.logging",
            "org.jboss.logmanager",
            "org.tinylog",
            "com.google.common.flogger",
            "com.typesafe.scalalogging",
        ],
        limits: &[cpu(2.0, 3.0), allocation(7.0, 10.0)],
        explanation: "The program builds log messages and formats them with time, thread and location, whether anybody \
                      reads them or not.",
        remedy: "Log less on the hot path, and at a lower level. Pass arguments instead of concatenated text ({} in \
                 slf4j), guard arguments that are expensive to compute, and leave the method and line of the caller \
                 out of the layout.",
        ..LINE
    },
    Line {
        id: "Log4jOverhead",
        title: "Logging with Log4j",
        methods: &["org.apache.log4j", "org.apache.logging"],
        limits: &[cpu(2.0, 3.0), allocation(3.0, 5.0)],
        explanation: "The program builds log messages and formats them with time, thread and location, whether anybody \
                      reads them or not. Log4j 2 can do this almost without garbage.",
        remedy: "Log less on the hot path, and at a lower level. Pass arguments or suppliers instead of concatenated \
                 text, leave the location (%C, %M, %L) out of the layout, and use the garbage-free layouts of Log4j 2.",
        ..LINE
    },
    Line {
        id: "RegexOverhead",
        title: "Regular expressions",
        methods: &["java.util.regex", "com.google.re2j", "org.joni"],
        limits: &[cpu(2.0, 4.0), allocation(3.0, 5.0), wall(2.0, 4.0)],
        explanation: "Java matches regular expressions by backtracking: some take time that grows with the square of \
                      the text length or worse. String.split, replaceAll, matches and Scanner use them, too.",
        remedy: "Compile patterns once and keep them. On the hot path use indexOf, startsWith, split by a single \
                 character, or a parser. Avoid nested repetition such as (a+)* and leading .*; possessive quantifiers \
                 and atomic groups do not backtrack.",
        ..LINE
    },
    Line {
        id: "RegexCompileOverhead",
        title: "Compiling regular expressions on a hot path",
        methods: &["java.util.regex.Pattern.compile", "java.util.regex.Pattern.<init>"],
        limits: &[(Resource::Cpu, Thresholds::info(1.0)), (Resource::Allocation, Thresholds::info(1.0))],
        explanation: "The program compiles the same pattern over and over: by Pattern.compile in a method that is \
                      called often, or by String.matches, replaceAll and split, which compile it on each call.",
        remedy: "Keep the compiled pattern in a static field. Instead of text.replaceAll(…) use PATTERN.matcher(text).replaceAll(…).",
        ..LINE
    },
    Line {
        id: "StringOverhead",
        title: "String building and formatting",
        methods: &[
            "java.lang.StringBuilder",
            "java.lang.StringBuffer",
            "java.lang.AbstractStringBuilder",
            "java.lang.StringConcatHelper",
            "java.lang.invoke.StringConcatFactory",
            "java.lang.String.format",
            "java.lang.String.formatted",
            "java.lang.String.join",
            "java.util.StringJoiner",
            "java.util.Formatter",
            "java.text.*Format",
        ],
        limits: &[cpu(3.0, 5.0), allocation(3.0, 5.0), wall(3.0, 5.0)],
        explanation: "The program concatenates or formats a lot of text. String.format and the classes of java.text \
                      parse their pattern on each call.",
        remedy: "Presize a StringBuilder and use one instead of many; do not format on the hot path; reuse formatters \
                 (DateTimeFormatter is thread-safe); write to a stream or buffer instead of building text first.",
        ..LINE
    },
];
