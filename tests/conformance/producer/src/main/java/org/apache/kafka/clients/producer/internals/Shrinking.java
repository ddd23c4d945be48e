package org.apache.kafka.clients.producer.internals;

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.utils.internals.BufferSupplier;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** A codec that keeps so many quarters of the bytes that it gets. Nobody can read what it writes. */
record Shrinking(int quarters) implements Compression {
    @Override
    public CompressionType type() {
        return CompressionType.GZIP;
    }

    @Override
    public OutputStream wrapForOutput(ByteBufferOutputStream out, byte messageVersion) {
        return new OutputStream() {
            private long taken;

            @Override
            public void write(int oneByte) {
                long before = taken * quarters / 4;
                taken++;
                if (taken * quarters / 4 > before) {
                    out.write(oneByte);
                }
            }
        };
    }

    @Override
    public InputStream wrapForInput(ByteBuffer buffer, byte messageVersion, BufferSupplier supplier) {
        throw new UnsupportedOperationException();
    }
}
