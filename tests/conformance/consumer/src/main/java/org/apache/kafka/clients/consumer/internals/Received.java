package org.apache.kafka.clients.consumer.internals;

import org.apache.kafka.common.network.NetworkReceive;
import org.apache.kafka.common.network.NetworkSend;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;
import org.apache.kafka.common.requests.ResponseHeader;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;

/** A request as it came over a connection. */
record Received(RequestHeader header, AbstractRequest request) {
    static Received from(NetworkSend send) {
        try {
            Collector collector = new Collector();
            while (!send.completed()) {
                send.writeTo(collector);
            }
            ByteBuffer buffer = ByteBuffer.wrap(collector.bytes.toByteArray());
            buffer.getInt();
            RequestHeader header = RequestHeader.parse(buffer);
            ByteBufferAccessor body = new ByteBufferAccessor(buffer);
            return new Received(header, AbstractRequest.parseRequest(header.apiKey(), header.apiVersion(), body).request);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    NetworkReceive answer(String connection, ApiMessage data) {
        ApiKeys api = header.apiKey();
        short version = header.apiVersion();
        ResponseHeader answer = new ResponseHeader(header.correlationId(), api.responseHeaderVersion(version));
        return new NetworkReceive(connection,
            RequestUtils.serialize(answer.data(), answer.headerVersion(), data, version));
    }

    /** Takes what is written. */
    private static final class Collector implements TransferableChannel {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public boolean hasPendingWrites() {
            return false;
        }

        @Override
        public long transferFrom(FileChannel file, long position, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) {
            return Arrays.stream(sources, offset, offset + length).mapToLong(this::write).sum();
        }

        @Override
        public long write(ByteBuffer[] sources) {
            return write(sources, 0, sources.length);
        }

        @Override
        public int write(ByteBuffer source) {
            int written = source.remaining();
            byte[] content = new byte[written];
            source.get(content);
            bytes.writeBytes(content);
            return written;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
        }
    }
}
