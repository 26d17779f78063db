"""Recommends items to users. usage: recommender.py SECONDS REQUESTS-A-SECOND"""
import json
import random
import sys
import threading
import time

lock = threading.Lock()
cache = {}
random.seed(1)
ITEMS = [[random.random() for _ in range(24)] for _ in range(6000)]


class UnknownUser(Exception):
    pass


def load_user(user):
    if user % 29 == 0:
        raise UnknownUser(user)
    return json.loads(json.dumps({"id": user, "taste": [((user * i) % 97) / 97 for i in range(24)], "history": list(range(user % 200))}))


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def score(taste):
    return [(dot(taste, item), number) for number, item in enumerate(ITEMS)]


def best(scores):
    return sorted(scores, reverse=True)[:10]


def remember(user, found):
    with lock:
        cache[user] = [{"item": number, "score": value, "why": "x" * 200} for value, number in found]
        if len(cache) > 400:
            time.sleep(0.004)
            cache.clear()


def recommend(user):
    try:
        profile = load_user(user)
    except UnknownUser:
        return None
    found = best(score(profile["taste"]))
    remember(user, found)
    return json.dumps(found)


def serve(until, rate, worker):
    begun = time.monotonic()
    n = 0
    while time.monotonic() < until:
        due = begun + n * 2 / rate
        time.sleep(max(0.0, due - time.monotonic()))
        recommend(n * 2 + worker)
        n += 1


def main():
    until, rate = time.monotonic() + float(sys.argv[1]), float(sys.argv[2])
    threads = [threading.Thread(target=serve, args=(until, rate, worker), name=f"worker-{worker + 1}") for worker in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
