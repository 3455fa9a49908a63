# Asterisk of Debian sid with this project's dialplans, without root.
# Build from the top of the checkout: docker build -f docker/asterisk.Dockerfile .
# The first stage compiles for 10 to 40 minutes: Debian's own package leaves the seat's words out of recordings.
FROM debian:sid-slim AS build
COPY docker/build-asterisk.sh /usr/local/bin/build-asterisk
RUN build-asterisk /packages

FROM debian:sid-slim
RUN --mount=type=bind,from=build,source=/packages,target=/packages apt-get update \
 && apt-get install -y --no-install-recommends \
      /packages/*.deb asterisk-core-sounds-en-gsm asterisk-moh-opsound-gsm openssl \
 && rm -rf /var/lib/apt/lists/* \
 && chmod a+rx /etc/asterisk \
 && chmod a+r /etc/asterisk/indications.conf \
 && groupadd --gid 10001 callcenter \
 && useradd --uid 10001 --gid callcenter --home-dir /srv/asterisk --no-create-home callcenter \
 && install -d -o callcenter -g callcenter /srv/asterisk
COPY dialplans /usr/share/callcenter/dialplans
COPY docker/asterisk /usr/share/callcenter/container
# The daemon's image has the same account, so that the daemon can read records and recordings, and nobody else.
USER 10001:10001
WORKDIR /srv/asterisk
ENV ETC=/run/callcenter STATE=/srv/asterisk
EXPOSE 5060/udp 10000-10099/udp
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["asterisk", "-C", "/run/callcenter/asterisk.conf", "-rx", "core show uptime"]
ENTRYPOINT ["/usr/share/callcenter/container/start"]
