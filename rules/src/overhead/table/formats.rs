//! Data formats: serialization, JSON, XML, encryption, compression.

use super::{LINE, Line, blocking, cpu};
use jfr_analyzers::events::Scope;

pub(super) const LINES: &[Line] = &[
    Line {
        id: "SerializationOverhead",
        title: "Java serialization",
        methods: &["java.io.ObjectInputStream", "java.io.ObjectOutputStream", "java.io.ObjectStreamClass"],
        limits: &[cpu(3.0, 5.0)],
        explanation: "Java's built-in serialization walks objects by reflection and writes a description of each class \
                      along with them.",
        remedy: "Use a format designed for speed (Protocol Buffers, Avro, Kryo, CBOR), or Externalizable; do not copy \
                 objects by serializing them; reset streams only as often as needed.",
        ..LINE
    },
    Line {
        id: "JsonOverhead",
        title: "JSON",
        methods: &[
            "com.fasterxml.jackson",
            "tools.jackson",
            "org.codehaus.jackson",
            "com.google.gson",
            "com.alibaba.fastjson",
            "com.alibaba.fastjson2",
            "org.json",
            "org.json4s",
            "net.minidev.json",
            "com.jayway.jsonpath",
            "com.squareup.moshi",
            "com.jsoniter",
            "com.dslplatform.json",
            "javax.json",
            "jakarta.json",
            "org.glassfish.json",
            "org.eclipse.parsson",
            "org.eclipse.yasson",
            "groovy.json",
            "io.circe",
            "play.api.libs.json",
            "spray.json",
            "kotlinx.serialization.json",
        ],
        limits: &[cpu(3.0, 5.0)],
        explanation: "The program reads or writes JSON: every step converts numbers and text.",
        remedy: "Reuse mappers, readers and writers. Leave out fields that nobody reads, stream large documents, do \
                 not convert twice (to text, then to bytes), and use a binary format between your own services.",
        ..LINE
    },
    Line {
        id: "XmlOverhead",
        title: "XML",
        methods: &[
            "javax.xml",
            "jakarta.xml",
            "org.xml.sax",
            "org.w3c.dom",
            "jdk.xml",
            "com.sun.org.apache",
            "com.sun.xml",
            "org.apache.xerces",
            "org.apache.xalan",
            "org.apache.xmlbeans",
            "org.glassfish.jaxb",
            "com.ctc.wstx",
            "com.fasterxml.aalto",
            "org.dom4j",
            "org.jdom",
            "org.jdom2",
            "nu.xom",
            "com.thoughtworks.xstream",
            "net.sf.saxon",
            "scala.xml",
        ],
        limits: &[cpu(3.0, 5.0)],
        explanation: "The program parses, searches, transforms or writes XML.",
        remedy: "Reuse factories, contexts (JAXBContext), compiled expressions and stylesheets: creating one takes \
                 longer than using it. Use a streaming parser instead of a tree, and do not validate twice.",
        ..LINE
    },
    Line {
        id: "CryptoOverhead",
        title: "Cryptography and TLS",
        methods: &[
            "sun.security",
            "com.sun.crypto",
            "javax.crypto",
            "javax.net.ssl",
            "java.security.MessageDigest",
            "java.security.Signature",
            "java.security.SecureRandom",
            "java.security.KeyFactory",
            "java.security.KeyPairGenerator",
            "org.bouncycastle",
            "org.conscrypt",
            "io.netty.internal.tcnative",
            "com.amazon.corretto.crypto",
        ],
        scope: Scope::Direct,
        // Blocking: our own limit. These are mostly locks around random numbers.
        limits: &[cpu(3.0, 5.0), blocking(3.0, 5.0)],
        explanation: "The program encrypts connections, computes digests and signatures, or generates random numbers. \
                      A TLS handshake costs far more than sending over an existing connection.",
        remedy: "Keep connections open and resume sessions (HTTP keep-alive, pools). Use AES-GCM and elliptic curves, \
                 which CPU and JVM accelerate; reuse MessageDigest and Cipher objects per thread; a newer JDK is \
                 faster.",
        ..LINE
    },
    Line {
        id: "CompressionOverhead",
        title: "Compression",
        methods: &[
            "java.util.zip.Deflater*",
            "java.util.zip.Inflater*",
            "java.util.zip.GZIP*",
            "java.util.zip.ZipInputStream",
            "java.util.zip.ZipOutputStream",
            "com.github.luben.zstd",
            "net.jpountz.lz4",
            "org.lz4",
            "org.xerial.snappy",
            "org.iq80.snappy",
            "io.airlift.compress",
            "com.ning.compress",
            "com.aayushatharva.brotli4j",
            "org.apache.commons.compress",
            "org.apache.hadoop.io.compress",
            "org.tukaani.xz",
            "deflate*",
            "inflate*",
            "ZSTD_*",
            "LZ4_*",
        ],
        scope: Scope::Direct,
        limits: &[cpu(3.0, 5.0)],
        explanation: "The program compresses or decompresses data.",
        remedy: "Choose a lower level or a faster format (LZ4, zstd), do not compress small or already compressed \
                 data, and reuse Deflater and Inflater.",
        ..LINE
    },
];
