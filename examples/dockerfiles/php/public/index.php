<?php
declare(strict_types=1);
$name = $_GET['name'] ?? $argv[1] ?? 'nobody';
printf("Hello %s, memory %s, zone %s\n", htmlspecialchars($name), ini_get('memory_limit'), date_default_timezone_get());
